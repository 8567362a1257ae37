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

  // A label of a day and the room beside it, in pixels.
  var DAY_LABEL = 64;

  function draw(element, width) {
    width = width || element.clientWidth;
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
    figure.layout.width = width;
    if (width < 520) {
      // Little room: the labels of the y axes move inside, the legend goes.
      figure.layout.margin = Object.assign({}, figure.layout.margin, { l: 36, r: 8 });
      figure.layout.showlegend = false;
    }
    // As many days are named as fit unturned beside each other.
    var room = width - figure.layout.margin.l - figure.layout.margin.r;
    Object.keys(figure.layout).forEach(function (name) {
      var axis = figure.layout[name];
      if (/^xaxis/.test(name) && axis.nticks) {
        axis.nticks = Math.max(2, Math.min(axis.nticks, Math.floor(room / DAY_LABEL)));
      }
    });
    element.dataset.width = width;
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

  function drawAll(width) {
    document.querySelectorAll("[data-chart]").forEach(function (element) {
      draw(element, width);
    });
  }

  // How much fits depends on the width, so a chart that has another one is drawn again.
  var observer = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var element = entry.target;
      if (!isOnPaper && element.clientWidth && element.clientWidth !== +element.dataset.width) {
        draw(element);
      }
    });
  });
  var isOnPaper = false;

  drawAll();
  document.querySelectorAll("[data-chart]").forEach(function (element) {
    observer.observe(element);
  });
  document.addEventListener("themechange", function () {
    drawAll();
  });

  // A drawing keeps its size and colours on paper: half of it would be cut off, and the lines of
  // the dark theme would be black bars.
  var PAPER_WIDTH = 640;
  var root = document.documentElement;
  var theme = "";

  window.addEventListener("beforeprint", function () {
    isOnPaper = true;
    theme = root.getAttribute("data-bs-theme");
    root.setAttribute("data-bs-theme", "light");
    drawAll(PAPER_WIDTH);
  });
  window.addEventListener("afterprint", function () {
    isOnPaper = false;
    root.setAttribute("data-bs-theme", theme);
    drawAll();
  });
})();
