// The saved page: the same tiles, from the numbers inside the file.
(() => {
  "use strict";
  const { h, Tile, textBox, short } = window.penstock;
  const { frame, sheets, drawn_at: drawnAt } = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  main.append(h("div", { class: "head" }, h("h1", {}, frame.title), h("p", { class: "fresh" }, `Saved ${short(drawnAt)} UTC`)));
  for (const sheet of frame.sheets) {
    const answer = sheets[sheet.id];
    const grid = h("div", { class: "grid" });
    main.append(h("h2", { class: "sheet-name" }, sheet.name), grid);
    for (const element of sheet.elements) {
      if (element.type === "text") {
        grid.append(textBox(element));
        continue;
      }
      const tile = new Tile({ ...element, id: element.id }, { links: () => [], click: () => {}, drill: () => {} });
      grid.append(tile.root);
      const drawn = answer.tiles.find((each) => each.id === element.id);
      delete drawn.click;
      delete drawn.drill;
      tile.draw(drawn, answer);
    }
  }
})();
