// Draws every [data-chart] from the JSON figure that the page carries. Colours named in the figure
// as "var(--…)" are resolved by the browser, so charts follow the theme.
(function () {
  "use strict";

  function coloured(value, resolve) {
    if (typeof value === "string") {
      return value.replace(/var\(--[a-z0-9-]+\)/g, resolve);
    }
    if (Array.isArray(value)) {
      return value.map(function (item) {
        return coloured(item, resolve);
      });
    }
    if (value && typeof value === "object") {
      var result = {};
      Object.keys(value).forEach(function (key) {
        result[key] = coloured(value[key], resolve);
      });
      return result;
    }
    return value;
  }

  function draw(element) {
    var source = document.getElementById(element.dataset.chart);
    // What a variable holds for light and dark becomes one colour only where it is used.
    var probe = element.appendChild(document.createElement("i"));
    var figure = coloured(JSON.parse(source.textContent), function (variable) {
      probe.style.color = variable;
      return window.getComputedStyle(probe).color;
    });
    probe.remove();
    figure.layout.font = Object.assign(
      { family: window.getComputedStyle(document.body).fontFamily },
      figure.layout.font
    );
    if (element.clientWidth < 520) {
      // Little room: the labels of the y axes move inside, the legend goes.
      figure.layout.margin = Object.assign({}, figure.layout.margin, { l: 36, r: 8 });
      figure.layout.showlegend = false;
    }
    window.Plotly.react(element, figure.data, figure.layout, {
      displayModeBar: false,
      responsive: false,
      scrollZoom: false,
      doubleClick: "reset",
    }).then(function () {
      element.setAttribute("data-drawn", "true");
      if (element.dataset.listening) {
        return;
      }
      element.dataset.listening = "true";
      element.on("plotly_click", function (event) {
        var point = event.points[0];
        var address = point.customdata && point.customdata.href;
        if (!address && element.dataset.day) {
          address = element.dataset.day.replace("DAY", String(point.x).slice(0, 10));
        }
        if (address) {
          window.location.assign(address);
        }
      });
    });
  }

  function drawAll() {
    document.querySelectorAll("[data-chart]").forEach(draw);
  }

  var observer = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var element = entry.target;
      if (element.getAttribute("data-drawn") && element.clientWidth) {
        window.Plotly.Plots.resize(element);
      }
    });
  });

  drawAll();
  document.querySelectorAll("[data-chart]").forEach(function (element) {
    observer.observe(element);
  });
  document.addEventListener("themechange", drawAll);

  // A drawing keeps its size on paper, where half of it would be cut off: the newest days.
  var PAPER_WIDTH = 640;

  function resizeAll(widthOf) {
    document.querySelectorAll("[data-drawn]").forEach(function (element) {
      window.Plotly.relayout(element, { width: widthOf(element) });
    });
  }

  window.addEventListener("beforeprint", function () {
    resizeAll(function (element) {
      return Math.min(element.clientWidth, PAPER_WIDTH);
    });
  });
  window.addEventListener("afterprint", function () {
    resizeAll(function (element) {
      return element.clientWidth;
    });
  });
})();
