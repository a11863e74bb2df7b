"use strict";
const specs = JSON.parse(document.getElementById("specs").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
let views = [];
async function draw() {
  views.forEach((view) => view.finalize());
  views = [];
  const ink = dark.matches ? "#e6e9ec" : "#1c2024";
  const line = dark.matches ? "#3a4149" : "#d5dae0";
  const config = {
    background: "transparent", view: { stroke: line }, text: { color: ink }, rule: { color: ink }, font: "system-ui, sans-serif",
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, titleFontWeight: "normal" },
    legend: { labelColor: ink, titleColor: ink, titleFontWeight: "normal", orient: "bottom" }, title: { color: ink }, header: { labelColor: ink, titleColor: ink },
  };
  for (const [name, spec] of Object.entries(specs)) {
    const options = { ast: true, actions: false, renderer: "svg", tooltip: { theme: dark.matches ? "dark" : "light" }, config };
    views.push(await vegaEmbed("#chart-" + name, { ...spec, config: { ...(spec.config || {}), ...config } }, options));
  }
  document.body.dataset.drawn = String(views.length);
}
dark.addEventListener("change", draw);
draw();

// A column sorts by its numbers where all its cells are numbers, by its letters otherwise.
function sortBy(table, place, button) {
  const head = button.parentElement;
  const down = head.getAttribute("aria-sort") === "ascending";
  table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const told = (row) => row.cells[place].textContent.trim();
  const rows = [...body.rows];
  const numeric = rows.every((row) => told(row) === "" || !Number.isNaN(Number(told(row))));
  rows.sort((a, b) => (numeric ? Number(told(a)) - Number(told(b)) : told(a).localeCompare(told(b), "en")) * (down ? -1 : 1));
  body.append(...rows);
}
document.querySelectorAll("table.sortable").forEach((table) => {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sortBy(table, place, button));
  });
});

const [bySlice, byVerdict, byText] = ["by-slice", "by-verdict", "by-text"].map((id) => document.getElementById(id));
const all = [...document.getElementById("example-table").tBodies[0].rows];
function filter() {
  const wanted = byText.value.trim().toLowerCase();
  let shown = 0;
  for (const row of all) {
    const stays = (!bySlice.value || row.dataset.tags.includes(" " + bySlice.value + " "))
      && (!byVerdict.value || row.dataset.verdict === byVerdict.value)
      && (!wanted || row.textContent.toLowerCase().includes(wanted));
    row.hidden = !stays;
    shown += stays ? 1 : 0;
  }
  document.getElementById("count").textContent = shown + " of " + all.length + " examples";
}
[bySlice, byVerdict].forEach((one) => one.addEventListener("change", filter));
byText.addEventListener("input", filter);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
