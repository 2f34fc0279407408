"use strict";
// Bring the page up to date in its place: what is open stays open, and what has not changed is not touched.
(() => {
  const key = (node) => (node.nodeType === 1 ? node.getAttribute("data-key") : null);

  function update(old, made) {
    if (old.nodeType !== made.nodeType || old.nodeName !== made.nodeName || key(old) !== key(made)) {
      old.replaceWith(made);
    } else if (old.nodeType !== 1) {
      if (old.data !== made.data) old.data = made.data;
    } else if (old.nodeName !== "FORM" && old.nodeName !== "SCRIPT") {
      attributes(old, made);
      children(old, made);
    }
  }

  function attributes(old, made) {
    for (const { name, value } of made.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !made.hasAttribute(name)) old.removeAttribute(name);
    }
  }

  function children(old, made) {
    const known = new Map([...old.children].filter(key).map((child) => [key(child), child]));
    let next = old.firstChild;
    for (const child of [...made.childNodes]) {
      const same = key(child) ? known.get(key(child)) : next && !key(next) ? next : null;
      if (!same) {
        old.insertBefore(child, next);
        continue;
      }
      if (same === next) next = next.nextSibling;
      else old.insertBefore(same, next);
      update(same, child);
    }
    while (next) {
      const after = next.nextSibling;
      next.remove();
      next = after;
    }
  }

  async function look() {
    const signal = AbortSignal.timeout(10000);
    const response = await fetch(location.href, { cache: "no-store", redirect: "error", signal });
    if (!(response.headers.get("content-type") || "").startsWith("text/html")) throw new Error(response.statusText);
    const made = new DOMParser().parseFromString(await response.text(), "text/html");
    document.title = made.title;
    attributes(document.querySelector("link[rel=icon]"), made.querySelector("link[rel=icon]"));
    update(document.body, made.body);
  }

  function lost() {
    const banner = document.getElementById("lost");
    if (banner.hidden) document.title = `no answer, was ${document.title}`;
    banner.hidden = false;
  }

  let seen = Date.now();
  let busy = false;
  setInterval(async () => {
    const wait = Number(document.body.dataset.refresh) * 1000;
    if (busy || document.hidden || !wait || Date.now() - seen < wait) return;
    busy = true;
    await look().catch(lost);
    busy = false;
    seen = Date.now();
  }, 1000);
})();
