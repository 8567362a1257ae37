// Runs before the first paint, so that a page never flashes in the other theme.
(function () {
  "use strict";
  var root = document.documentElement;
  var system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("theme") || "system";
    } catch (error) {
      return "system"; // storage may be forbidden; the system's theme then applies
    }
  }

  function apply() {
    var choice = chosen();
    var theme = choice === "system" ? (system.matches ? "dark" : "light") : choice;
    root.setAttribute("data-bs-theme", theme);
    root.setAttribute("data-theme-choice", choice);
    root.classList.add("js");
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  window.portalTheme = {
    cycle: function () {
      var order = ["system", "light", "dark"];
      var next = order[(order.indexOf(chosen()) + 1) % order.length];
      try {
        localStorage.setItem("theme", next);
      } catch (error) {
        return chosen();
      }
      apply();
      return next;
    },
    chosen: chosen,
  };
  system.addEventListener("change", apply);
  apply();
})();
