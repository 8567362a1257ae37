// Keyboard, jump dialog, theme button, row selection and copying. Every page works without it.
(function () {
  "use strict";

  // --- theme

  var names = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
  document.querySelectorAll("[data-theme-button]").forEach(function (button) {
    function label(choice) {
      button.setAttribute("aria-label", names[choice]);
      button.title = names[choice];
    }
    label(window.portalTheme.chosen());
    button.addEventListener("click", function () {
      label(window.portalTheme.cycle());
    });
  });

  // --- menus made of <details>: one open at a time, closed by Escape and by a click elsewhere

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  document.addEventListener("focusin", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) {
        menu.open = false;
      }
    });
  });

  // --- what only the eye would notice is said as well

  function say(text) {
    var said = document.getElementById("said");
    if (said && said.textContent !== text) {
      said.textContent = text;
    }
  }

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id === "results") {
      var count = event.detail.target.querySelector(".pager .num, .empty h2");
      say(count ? count.textContent : "");
    }
  });

  // --- jump dialog

  var dialog = document.getElementById("jump");

  function openJump(event) {
    if (!dialog) {
      return;
    }
    if (event) {
      event.preventDefault();
    }
    if (!dialog.open) {
      dialog.showModal();
      var input = dialog.querySelector("input");
      input.select();
      window.htmx.trigger(input, "jump");
    }
  }

  function moveInJump(step) {
    var links = Array.from(dialog.querySelectorAll("li a"));
    if (!links.length) {
      return;
    }
    var at = links.findIndex(function (link) {
      return link.classList.contains("is-on");
    });
    links.forEach(function (link) {
      link.classList.remove("is-on");
    });
    var next = links[(at + step + links.length) % links.length];
    next.classList.add("is-on");
    next.scrollIntoView({ block: "nearest" });
    dialog.querySelector("input").setAttribute("aria-activedescendant", next.id);
  }

  // Enter may come before the results of what was typed: those of another text are not followed.
  var isFollowing = false;

  function followJump() {
    var typed = dialog.querySelector("input").value.trim().toLowerCase();
    var results = dialog.querySelector("[data-for]");
    isFollowing = !results || results.dataset.for !== typed;
    var link = dialog.querySelector("li a.is-on") || dialog.querySelector("li a");
    if (link && !isFollowing) {
      window.location.assign(link.href);
    }
  }

  if (dialog) {
    document.querySelectorAll("[data-jump]").forEach(function (opener) {
      opener.addEventListener("click", openJump);
    });
    dialog.addEventListener("click", function (event) {
      if (event.target === dialog) {
        dialog.close();
      }
    });
    dialog.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        moveInJump(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Escape") {
        event.preventDefault(); // which would only empty the field first
        dialog.close();
      } else if (event.key === "Enter") {
        event.preventDefault();
        followJump();
      } else {
        isFollowing = false;
      }
    });
    dialog.addEventListener("htmx:afterSwap", function () {
      if (isFollowing) {
        followJump();
      }
    });
  }

  // --- keys: "/" search, Ctrl-K jump, "g" and a letter to go to a page

  var waitingForGo = 0;

  // Where letters are typed.
  var unwritten = /^(button|checkbox|color|file|hidden|image|radio|range|reset|submit)$/;

  function isTyping(target) {
    if (target.tagName === "INPUT") {
      return !unwritten.test(target.type);
    }
    return target.isContentEditable || target.tagName === "TEXTAREA";
  }

  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      openJump(event);
      return;
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (event.key === "/") {
      var search = document.querySelector("main [data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      } else {
        openJump(event);
      }
    } else if (event.target.tagName === "SELECT") {
      waitingForGo = 0; // its choices are found by their first letters
    } else if (event.key === "g") {
      waitingForGo = Date.now();
    } else if (Date.now() - waitingForGo < 1500) {
      waitingForGo = 0;
      var link = document.querySelector('[data-go="' + CSS.escape(event.key) + '"]');
      if (link) {
        window.location.assign(link.href);
      }
    }
  });

  // --- choosing rows for a bulk action

  function countChosen(form) {
    var boxes = Array.from(form.querySelectorAll("td.tick input"));
    var chosen = boxes.filter(function (box) {
      return box.checked;
    });
    var all = form.querySelector("[data-choose-page]");
    if (all) {
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    var bar = form.querySelector(".bulk");
    if (bar) {
      bar.classList.toggle("is-on", chosen.length > 0);
      bar.querySelector("[data-chosen]").textContent = String(chosen.length);
      var everything = bar.querySelector("[data-everything]");
      if (everything) {
        everything.classList.toggle("is-offered", chosen.length === boxes.length);
        everything.querySelector("input").checked = false;
      }
    }
  }

  document.addEventListener("change", function (event) {
    var form = event.target.closest("[data-bulk]");
    if (!form) {
      return;
    }
    if (event.target.matches("[data-choose-page]")) {
      form.querySelectorAll("td.tick input").forEach(function (box) {
        box.checked = event.target.checked;
      });
    }
    if (event.target.matches("[data-choose-page], td.tick input")) {
      countChosen(form);
    }
  });

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-bulk]").forEach(countChosen);
  });

  // --- printing

  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.addEventListener("click", function () {
      window.print();
    });
  });

  // --- copying

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) {
      return;
    }
    var source = document.getElementById(button.dataset.copy);
    navigator.clipboard.writeText(source.textContent).then(function () {
      var before = button.textContent;
      button.textContent = "Copied";
      say("Copied");
      window.setTimeout(function () {
        button.textContent = before;
        say("");
      }, 1500);
    });
  });

  // --- what scrolls sideways can be reached and scrolled by keyboard

  function reachScrollers() {
    document.querySelectorAll(".table-wrap:not([role])").forEach(function (wrap) {
      if (wrap.scrollWidth > wrap.clientWidth) {
        var heading = wrap.closest(".card") && wrap.closest(".card").querySelector("h2");
        wrap.tabIndex = 0;
        wrap.setAttribute("role", "region");
        wrap.setAttribute("aria-label", (heading ? heading.textContent : "Table") + ", scrolls");
      }
    });
  }
  reachScrollers();
  window.addEventListener("resize", reachScrollers);
  document.addEventListener("htmx:afterSettle", reachScrollers);

  // --- a choice that applies at once

  // By keyboard each step through a list, and each digit of a date, is a change: what is chosen so
  // is sent with Enter or when the field is left, and the focus is where it was on the next page.
  var lastKey = "";
  var waiting = null;

  function send(field, next) {
    waiting = null;
    window.sessionStorage.setItem("focus", window.location.pathname + "#" + next.id);
    field.form.requestSubmit();
  }

  document.addEventListener("pointerdown", function () {
    lastKey = "";
  });

  document.addEventListener("keydown", function (event) {
    lastKey = event.key;
    if (event.key === "Enter" && waiting === event.target) {
      event.preventDefault();
      send(waiting, waiting);
    }
  });

  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-submit]")) {
      return;
    }
    if (lastKey && lastKey !== "Enter") {
      waiting = event.target;
    } else {
      send(event.target, event.target);
    }
  });

  document.addEventListener("focusout", function (event) {
    if (waiting && waiting === event.target) {
      send(waiting, event.relatedTarget || waiting);
    }
  });

  document.addEventListener("click", function (event) {
    var order = event.target.closest(".grid-table th a[id]");
    if (order && lastKey === "Enter") {
      window.sessionStorage.setItem("focus", window.location.pathname + "#" + order.id);
    }
  });

  var held = (window.sessionStorage.getItem("focus") || "#").split("#");
  window.sessionStorage.removeItem("focus");
  if (held[1] && held[0] === window.location.pathname && document.getElementById(held[1])) {
    document.getElementById(held[1]).focus({ preventScroll: true });
  }

  // --- filters: what is typed makes one entry in the history, however often it was asked for

  var typedAddress = "";

  document.addEventListener("htmx:beforeHistoryUpdate", function (event) {
    var update = event.detail.history;
    var cause = event.detail.requestConfig.triggeringEvent;
    var here = window.location.pathname + window.location.search;
    var field = cause && (cause.type === "submit" ? document.activeElement : cause.target);
    var isTyped = Boolean(field && field.matches && field.matches("[data-search]"));
    if (update.type === "push" && (update.path === here || (isTyped && here === typedAddress))) {
      update.type = "replace";
    }
    if (isTyped) {
      typedAddress = update.path;
    }
  });

  // --- filters: an empty one does not belong into the address

  document.addEventListener("htmx:configRequest", function (event) {
    if (event.detail.verb === "get") {
      Array.from(event.detail.formData.keys()).forEach(function (key) {
        if (event.detail.formData.get(key) === "") {
          event.detail.formData.delete(key);
        }
      });
    }
  });

  // --- a session that ended while the page stood open

  document.addEventListener("htmx:responseError", function (event) {
    if (event.detail.xhr.status === 403 || event.detail.xhr.status === 401) {
      window.location.reload(); // the session has ended: the page sends to the log-in
    }
  });
})();
