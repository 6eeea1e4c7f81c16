// Bring the page up to date in place, so that scrolling and reading are not disturbed.
// Stops while the page is hidden or somebody is choosing from the list.
(() => {
  const seconds = Number(document.currentScript.dataset.seconds);
  const refresh = async () => {
    const busy = document.activeElement?.closest("form");
    if (document.hidden || busy) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.status === 404) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.getElementById("main");
      // The same address may stand above too, where the focus is not to jump.
      const focused = main.contains(document.activeElement) && document.activeElement.getAttribute("href");
      main.innerHTML = fresh.getElementById("main").innerHTML;
      document.title = fresh.title;
      if (focused) main.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    } catch {
      // The service is away for a moment: what is shown stays, with its time.
    }
  };
  setInterval(refresh, seconds * 1000);
})();
