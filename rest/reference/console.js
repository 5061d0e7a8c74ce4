"use strict";
// Puts Swagger UI in the place of the plain listing of operations, and makes the contents find their way in it.

(() => {
  const listing = document.getElementById("listing");
  const host = document.getElementById("console");
  const contents = document.getElementById("contents");
  const narrow = window.matchMedia("(max-width: 64rem)");
  let ui = null;

  // The tag of each operation by its id, read from the contract once it is there.
  const tags = new Map();

  // --- contents

  const links = [...contents.querySelectorAll("a[data-words]")];
  const filter = document.getElementById("filter-text");

  function applyFilter() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const link of links) {
      const text = link.dataset.words.toLowerCase();
      const fits = words.every((word) => text.includes(word));
      link.parentElement.hidden = !fits;
      found += fits ? 1 : 0;
    }
    for (const list of contents.querySelectorAll("ul")) {
      const some = words.length === 0 || [...list.children].some((item) => !item.hidden && item.querySelector("a[data-words]"));
      list.hidden = !some;
      list.previousElementSibling.hidden = !some;
    }
    document.getElementById("filter-none").textContent = words.length === 0 ? "" : found === 0 ? "Nothing fits." : `${found} found`;
  }

  function markCurrent() {
    const id = location.hash.slice(1);
    for (const link of contents.querySelectorAll("a")) {
      if (id !== "" && link.getAttribute("href") === "#" + id) {
        link.setAttribute("aria-current", "location");
        if (!narrow.matches) {
          link.scrollIntoView({ block: "nearest" });
        }
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }

  // --- finding a place in the page

  function blockOf(id) {
    return host.querySelector(`.opblock[id$="-${CSS.escape(id)}"]`);
  }

  function whenThere(find, then, tries = 60) {
    const element = find();
    if (element) {
      then(element);
    } else if (tries > 0) {
      requestAnimationFrame(() => whenThere(find, then, tries - 1));
    }
  }

  // Goes to what the address names: an operation is opened, a tag unfolded, everything else is simply there.
  function go() {
    markCurrent();
    const id = location.hash.slice(1);
    if (id === "") {
      return;
    }
    if (ui && tags.has(id)) {
      const tag = tags.get(id);
      ui.layoutActions.show(["operations-tag", tag], true);
      ui.layoutActions.show(["operations", tag, id], true);
      whenThere(() => blockOf(id), (block) => {
        block.scrollIntoView();
        block.querySelector(".opblock-summary-control")?.focus({ preventScroll: true });
      });
      return;
    }
    if (ui && id.startsWith("tag-")) {
      const tag = tagNames.get(id) ?? "";
      ui.layoutActions.show(["operations-tag", tag], true);
      host.querySelector(`.opblock-tag[data-tag="${CSS.escape(tag)}"]`)?.scrollIntoView();
      return;
    }
    const element = document.getElementById(id);
    if (element instanceof HTMLDetailsElement) {
      element.open = true;
    }
    element?.scrollIntoView();
  }

  const tagNames = new Map([...listing.querySelectorAll("h3[id]")].map((heading) => [heading.id, heading.textContent]));

  // --- Swagger UI

  // Takes away what the page itself has, says which scopes an operation needs, fills in X-Client-Id, and makes a dialog
  // of the box for client id and secret.
  const house = () => ({
    components: { info: () => null, InfoContainer: () => null, ServersContainer: () => null },
    wrapComponents: {
      authorizationPopup: (Original, { React, authActions }) => function AuthorizationDialog(props) {
        const box = React.useRef(null);
        React.useEffect(() => {
          const before = document.activeElement;
          box.current.querySelector(".close-modal")?.setAttribute("aria-label", "Close");
          box.current.querySelector("button.authorize")?.removeAttribute("aria-label"); // its text says it
          (box.current.querySelector("input[type=text]") ?? box.current.querySelector("button"))?.focus();
          return () => before?.focus?.();
        }, []);
        const onKeyDown = (event) => {
          if (event.key === "Escape") {
            authActions.showDefinitions(false);
          } else if (event.key === "Tab") {
            keepInside(box.current, event);
          }
        };
        return React.createElement("div", { ref: box, role: "dialog", "aria-modal": "true", "aria-label": "Authorize", onKeyDown }, React.createElement(Original, props));
      },
      // Without a style of its own it names the kinds of words, and console.css colours them.
      SyntaxHighlighter: (Original, { React }) => (props) =>
        React.createElement(Original, { ...props, syntaxHighlighting: { styles: {}, defaultStyle: {} } }),
      TextArea: (Original, { React }) => (props) => React.createElement(Original, { "aria-label": "Request body", ...props }),
      parameters: (Original, { React, specSelectors }) => function ParametersAndScopes(props) {
        const alternatives = specSelectors.specJson().getIn(["paths", ...props.pathMethod, "security"])?.toJS() ?? [];
        const scopes = alternatives.flatMap((each) => Object.values(each).flat());
        const needs = scopes.flatMap((scope, i) => [i > 0 ? " or " : "", React.createElement("code", { key: scope }, scope)]);
        return React.createElement(React.Fragment, null,
          scopes.length > 0 && React.createElement("p", { className: "needs" }, "Needs a token with scope ", ...needs, "."),
          React.createElement(Original, props));
      },
    },
    statePlugins: {
      spec: {
        wrapSelectors: {
          parameterWithMetaByIdentity: (original, system) => (state, ...args) => {
            const parameter = original(...args);
            const client = system.authSelectors.authorized()?.getIn(["oauth2", "clientId"]);
            const name = parameter?.get("name");
            if (name !== "X-Client-Id" && name !== "Idempotency-Key") {
              return parameter;
            }
            // The contract's examples are nobody's client, and a key that a second request with it would be refused for.
            const blank = parameter.delete("example").delete("examples").deleteIn(["schema", "example"]);
            return name === "X-Client-Id" && client ? blank.set("example", client) : blank;
          },
        },
      },
      auth: {
        wrapActions: {
          authorizeOauth2: (original) => (payload) => { const result = original(payload); showAuthorized(); return result; },
          logout: (original) => (payload) => { const result = original(payload); showAuthorized(); return result; },
        },
      },
      layout: {
        wrapActions: {
          // An operation that is opened is what the address names, so that it can be shared.
          show: (original) => (thing, shown) => {
            if (thing[0] === "operations" && shown) {
              history.replaceState(null, "", "#" + thing[2]);
              markCurrent();
            }
            return original(thing, shown);
          },
        },
      },
    },
  });

  function showAuthorized() {
    setTimeout(() => {
      document.getElementById("authorize").textContent = ui.authSelectors.authorized().size > 0 ? "Authorized" : "Authorize";
    });
  }

  // Keeps the Tab key in a dialog.
  function keepInside(box, event) {
    const stops = [...box.querySelectorAll("a[href], button, input, select, textarea")].filter((each) => !each.disabled && each.offsetParent !== null);
    const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (document.activeElement === edge) {
      event.preventDefault();
      (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
    }
  }

  function ready() {
    const spec = ui.specSelectors.specJson().toJS();
    for (const item of Object.values(spec.paths ?? {})) {
      for (const operation of Object.values(item)) {
        if (operation?.operationId) {
          tags.set(operation.operationId, operation.tags[0]);
        }
      }
    }
    listing.remove();
    host.hidden = false;
    document.getElementById("console-hint").hidden = false;
    const button = document.getElementById("authorize");
    button.hidden = false;
    button.addEventListener("click", () => ui.authActions.showDefinitions(ui.authSelectors.definitionsToAuthorize()));
    go();
  }

  // --- copying

  function addCopyButtons() {
    for (const block of navigator.clipboard ? document.querySelectorAll("pre[data-step]") : []) {
      const wrapper = document.createElement("div");
      wrapper.className = "block";
      block.replaceWith(wrapper);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy: " + block.getAttribute("aria-label"));
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      wrapper.append(block, button);
    }
  }

  function start() {
    if (typeof SwaggerUIBundle !== "function") {
      return; // the plain listing stays
    }
    ui = SwaggerUIBundle({
      url: "/openapi.yaml", // its order of fields is the written one
      domNode: host,
      presets: [SwaggerUIBundle.presets.apis],
      plugins: [house],
      layout: "BaseLayout",
      docExpansion: "list",
      defaultModelsExpandDepth: -1,
      defaultModelExpandDepth: 3,
      displayRequestDuration: true,
      persistAuthorization: false,
      validatorUrl: null,
      syntaxHighlight: { activated: true },
      // Without this a browser answers a refused client secret (401, Basic) with a box of its own.
      requestInterceptor: (request) => Object.assign(request, { credentials: "omit" }),
      onComplete: ready,
    });
  }

  // Swagger UI brings a scroller that takes over every link within a page, unless it is told not to before it loads.
  window.noZensmooth = true;

  document.getElementById("filter").hidden = false;
  filter.addEventListener("input", applyFilter);
  contents.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && narrow.matches) {
      contents.hidePopover();
    }
    if (link && link.hash === location.hash) {
      go(); // no hashchange comes
    }
  });
  window.addEventListener("hashchange", go);
  document.addEventListener("DOMContentLoaded", start); // comes after the scripts of the page's head
  addCopyButtons();
  markCurrent();
})();
