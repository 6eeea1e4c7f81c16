// What is wrong with a page for somebody who cannot see it well or does not see it at all, as texts.
() => {
  const faults = [];
  const claim = (holds, fault) => holds || faults.push(fault);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.getClientRects().length > 0;
  const name = (element) => `<${element.tagName.toLowerCase()}> ${element.textContent.trim().slice(0, 40)}`;

  claim(document.documentElement.lang === "vi", `the language is ${document.documentElement.lang}`);
  claim(document.title.trim(), "there is no title");
  if (document.querySelector("main")) {
    const levels = all("h1, h2, h3, h4").map((one) => Number(one.tagName[1]));
    claim(levels.filter((one) => one === 1).length === 1, "there is not exactly one <h1>");
    claim(levels.every((one, at) => one <= (levels[at - 1] ?? 0) + 1), `headings jump: ${levels}`);
  }
  for (const table of all("table:not([role=presentation])")) {
    const columns = table.querySelectorAll("thead th[scope=col]").length;
    claim(columns > 1, `a table without headers: ${name(table)}`);
    for (const row of table.querySelectorAll("tbody tr")) {
      claim(row.cells.length === columns, `a row of other length: ${name(row)}`);
      claim(row.querySelector("th[scope=row]"), `a row without a header: ${name(row)}`);
    }
  }
  for (const control of all("input:not([type=hidden]), select, textarea")) {
    claim(control.labels?.length, `no label: ${control.name}`);
  }
  for (const image of all("img, [role=img]")) {
    claim(image.getAttribute("aria-label") || image.alt, `an image without words: ${image.outerHTML.slice(0, 80)}`);
  }

  // Contrast as WCAG 2.2 reckons it (1.4.3): 4.5 to 1, whatever the size of the letters.
  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const luminance = ({ rgb }) => {
    const [red, green, blue] = rgb.map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  // Where nothing lies behind a text the browser paints its own ground.
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const schemes = getComputedStyle(document.documentElement).colorScheme;
  const bare = channels(isDark && schemes.includes("dark") ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)");
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const ground = channels(getComputedStyle(one).backgroundColor);
      if (ground.alpha > 0) return ground;
    }
    return bare;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !seen(element)) continue;
    const pair = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    claim(contrast >= 4.5, `contrast ${contrast.toFixed(2)}: ${name(element)}`);
  }
  return [...new Set(faults)];
}
