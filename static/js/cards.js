// Where a list of the console is drawn as cards its headings are gone: each value says its own.

const list = document.getElementById("result_list");

if (list) {
  const headings = [...list.tHead.rows[0].cells].map(
    (cell) => cell.querySelector(".text")?.textContent.trim());
  for (const row of list.tBodies[0].rows) {
    for (const [number, cell] of [...row.cells].entries()) {
      if (cell.matches("td:not(.action-checkbox)")) cell.dataset.label = headings[number];
    }
  }
}
