import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import type { Context } from "./context.ts";

/**
 * Scripts for browsers, as text: the sandbox builds nothing. `pageScript` runs in the hosted page and tells its opener what happens;
 * `snapScript` is snap.js, in the merchant's page (midtrans.md §4).
 */
const pageScript = `(function () {
  "use strict";
  var root = document.querySelector("[data-state]");
  if (!root) return;
  var view = root.dataset.view;
  var framed = window.parent !== window;
  function tell(name, state) {
    if (framed) window.parent.postMessage({ lunas_snap: name, result: state.result || null, leave: state.leave_url || null }, "*");
  }
  function announce(state) {
    if (state.view === "pending") tell("pending", state);
    else if (state.view !== "choose") tell(state.view === "success" ? "success" : "error", state);
    var ended = state.view === "success" || state.view === "failed";
    if (ended && !framed && state.leave_url) setTimeout(function () { location.href = state.leave_url; }, 2500);
  }
  function ask(first) {
    fetch(root.dataset.state, { cache: "no-store" }).then(function (answer) { return answer.json(); }).then(function (state) {
      if (first) announce(state);
      if (state.view !== view) { location.reload(); return; }
      if (view === "choose" || view === "pending") setTimeout(ask, 1000);
    }).catch(function () { setTimeout(ask, 3000); });
  }
  ask(true);
})();
`;

const snapScript = `(function () {
  "use strict";
  var BASE = %BASE%;
  var ORIGIN = new URL(BASE).origin;
  var script = document.currentScript || document.querySelector("script[data-client-key]");
  var clientKey = (script && script.getAttribute("data-client-key")) || "";
  var open = null;

  function element(name, style) {
    var made = document.createElement(name);
    made.style.cssText = style;
    return made;
  }
  function end() {
    if (!open) return;
    window.removeEventListener("message", open.listen);
    open.root.remove();
    open = null;
  }
  function go(url) { if (url) window.location.href = url; }
  function call(options, name, result, leave) {
    if (typeof options[name] === "function") options[name](result);
    else go(leave || (result && result.finish_redirect_url));
  }
  function start(kind, token, options, place) {
    if (open) throw new Error("snap." + kind + " is not allowed to be called in this state: a payment is shown already");
    if (typeof token !== "string" || !/^[0-9a-f-]{36}$/.test(token)) throw new Error("snap." + kind + " takes the token, not the redirect_url");
    options = options || {};
    var query = new URLSearchParams();
    if (clientKey) query.set("client_key", clientKey);
    if (options.language) query.set("language", options.language);
    var frame = element("iframe", "border:0;width:100%;height:100%;min-height:560px;background:#fff");
    frame.title = "Payment";
    frame.name = "snap-midtrans";
    frame.src = BASE + "/snap/v3/redirection/" + token + "?" + query;
    var chosen = null;
    function listen(event) {
      if (event.origin !== ORIGIN || event.source !== frame.contentWindow || !event.data || !event.data.lunas_snap) return;
      var name = event.data.lunas_snap, result = event.data.result, leave = event.data.leave;
      if (name === "pending") {
        chosen = { result: result, leave: leave };
        if (typeof options.onPending === "function") options.onPending(result);
      } else if (name === "success") {
        end();
        call(options, "onSuccess", result, leave);
      } else if (name === "error") {
        end();
        call(options, "onError", result || { status_code: "406", status_message: ["transaction has been processed"] }, leave);
      }
    }
    window.addEventListener("message", listen);
    open = {
      root: place(frame, function close() {
        end();
        if (chosen) call(options, "onPending", chosen.result, chosen.leave);
        else if (typeof options.onClose === "function") options.onClose();
      }),
      listen: listen,
    };
  }
  function overlay(frame, close) {
    var root = element("div", "position:fixed;inset:0;z-index:2147483000;background:rgba(0,0,0,.55);display:flex;align-items:center;justify-content:center");
    root.id = "snap-midtrans-overlay";
    var box = element("div", "position:relative;width:min(100%,26rem);height:min(100%,44rem);background:#fff;border-radius:12px;overflow:hidden");
    var button = element("button", "position:absolute;top:6px;right:6px;width:44px;height:44px;border:0;border-radius:22px;font-size:22px;background:#eee;color:#222;cursor:pointer;z-index:1");
    button.type = "button";
    button.textContent = "\\u00d7";
    button.setAttribute("aria-label", "Close the payment");
    button.setAttribute("data-testid", "snap-close");
    button.addEventListener("click", close);
    box.append(frame, button);
    root.append(box);
    document.body.append(root);
    return root;
  }
  window.snap = {
    pay: function (token, options) { start("pay", token, options, overlay); },
    embed: function (token, options) {
      var host = document.getElementById((options || {}).embedId || "");
      if (!host) throw new Error("snap.embed needs embedId, the id of an element of this page");
      start("embed", token, options, function (frame) { host.append(frame); return frame; });
    },
    show: function () { if (open) open.root.style.display = ""; },
    hide: function () { if (open) open.root.style.display = "none"; },
  };
})();
`;

/** GET /snap/snap.js, and the script of the hosted page. */
export function snapScripts(context: Context, request: EmulatorRequest): EmulatorResponse | undefined {
  if (request.method !== "GET") return undefined;
  const headers = { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-store" };
  if (request.path === "/snap/snap.js")
    return { status: 200, headers, body: snapScript.replace("%BASE%", () => JSON.stringify(context.world.baseUrl())) };
  return request.path === "/snap/assets/page.js" ? { status: 200, headers, body: pageScript } : undefined;
}
