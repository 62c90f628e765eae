// The photo with its line boxes. OpenSeadragon shows the picture; the boxes are one SVG layer above it whose matrix
// follows zoom, pan and rotation, so that a quad of any slant lies on its line.

import { loadPhoto } from "./crops.js";

const SVG = "http://www.w3.org/2000/svg";
const READABLE_LINE_PX = 26; // a line lower than this on the screen is zoomed in on when its field is focused

/* global OpenSeadragon */

export class PhotoViewer {
  constructor({ stage, boxes, message, onLineChosen }) {
    keepStyleElementsOut();
    this.layer = boxes;
    this.group = boxes.querySelector("g");
    this.message = message;
    this.onLineChosen = onLineChosen;
    this.photo = null;
    this.lines = [];
    this.failed = false;
    this.osd = OpenSeadragon({
      element: stage,
      drawer: "canvas", // office computers and remote desktops often have no working WebGL
      showNavigationControl: false,
      animationTime: 0.25,
      springStiffness: 9,
      visibilityRatio: 0.4,
      minZoomImageRatio: 0.7,
      maxZoomPixelRatio: 6,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false },
      keyboardNavEnabled: true,
    });
    for (const event of ["update-viewport", "open", "animation", "resize", "rotate"]) {
      this.osd.addHandler(event, () => this.place());
    }
    this.osd.addHandler("open", () => this.fitStone(true));
    this.osd.addHandler("open-failed", () => this.fail());
    this.osd.addHandler("tile-load-failed", () => this.fail());
  }

  async show(photo, lines) {
    this.photo = photo;
    this.lines = lines;
    this.failed = false;
    this.message.hidden = true;
    this.group.replaceChildren(...lines.map((line, index) => this.box(line, index)));
    this.layer.setAttribute("visibility", "hidden");
    const image = await loadPhoto(photo.url);
    if (this.photo !== photo) return;
    if (!image) return this.fail();
    this.osd.viewport?.setRotation(0, true);
    this.osd.open({ type: "image", url: image.src, buildPyramid: false });
  }

  clear() {
    this.photo = null;
    this.group.replaceChildren();
    this.osd.close();
  }

  box(line, index) {
    const polygon = document.createElementNS(SVG, "polygon");
    polygon.setAttribute("class", "box");
    polygon.setAttribute("points", line.quad.map((point) => point.join(",")).join(" "));
    polygon.dataset.level = line.level;
    polygon.dataset.line = index;
    polygon.addEventListener("click", () => this.onLineChosen(index));
    return polygon;
  }

  fail() {
    this.failed = true;
    this.message.hidden = false;
    this.osd.close();
  }

  place() {
    const item = this.osd.world.getItemAt(0);
    if (!item || !this.photo) return;
    const at = (x, y) =>
      this.osd.viewport.pixelFromPoint(item.imageToViewportCoordinates(x * this.scale(item), y * this.scale(item)), true);
    const [origin, right, down] = [at(0, 0), at(1000, 0), at(0, 1000)];
    const matrix = [right.x - origin.x, right.y - origin.y, down.x - origin.x, down.y - origin.y].map((n) => n / 1000);
    this.group.setAttribute("transform", `matrix(${matrix.join(" ")} ${origin.x} ${origin.y})`);
    this.layer.removeAttribute("visibility");
  }

  // Boxes are in pixels of the upright original; the picture shown may be a smaller copy of it.
  scale(item) {
    return this.photo.width_px ? item.getContentSize().x / this.photo.width_px : 1;
  }

  mark(indices) {
    for (const polygon of this.group.children) {
      polygon.classList.toggle("active", indices.includes(Number(polygon.dataset.line)));
    }
  }

  // Bring lines into view; nothing moves when they can be read where they are.
  reveal(indices) {
    this.mark(indices);
    const points = indices.flatMap((index) => this.lines[index]?.quad ?? []);
    const item = this.osd.world.getItemAt(0);
    if (!points.length || !item) return;
    const area = this.area(item, points);
    const seen = this.osd.viewport.getBounds();
    const inside = area.x >= seen.x && area.y >= seen.y
      && area.x + area.width <= seen.x + seen.width && area.y + area.height <= seen.y + seen.height;
    const heightPx = (area.height / indices.length / seen.height) * this.osd.viewport.getContainerSize().y;
    if (inside && heightPx >= READABLE_LINE_PX) return;
    this.fit(item, points, 0.12, 2.2);
  }

  fitStone(immediately = false) {
    const item = this.osd.world.getItemAt(0);
    if (!item || !this.photo) return;
    const points = this.photo.stones.flat();
    const lines = this.lines.flatMap((line) => line.quad);
    if (points.length + lines.length) this.fit(item, [...points, ...lines], 0.03, 0, immediately);
    else this.osd.viewport.goHome(immediately);
  }

  area(item, points) {
    const scale = this.scale(item);
    const xs = points.map((point) => point[0] * scale);
    const ys = points.map((point) => point[1] * scale);
    const left = Math.min(...xs);
    const top = Math.min(...ys);
    return item.imageToViewportRectangle(left, top, Math.max(...xs) - left, Math.max(...ys) - top);
  }

  fit(item, points, sideMargin, heightMargin, immediately = false) {
    const area = this.area(item, points);
    const dx = area.width * sideMargin;
    const dy = heightMargin ? area.height * heightMargin : dx;
    const around = new OpenSeadragon.Rect(area.x - dx, area.y - dy, area.width + 2 * dx, area.height + 2 * dy);
    this.osd.viewport.fitBounds(around, immediately);
  }

  act(action) {
    const viewport = this.osd.viewport;
    if (!viewport) return;
    if (action === "zoom_in") viewport.zoomBy(1.4).applyConstraints();
    else if (action === "zoom_out") viewport.zoomBy(1 / 1.4).applyConstraints();
    else if (action === "rotate_left") viewport.setRotation(viewport.getRotation() - 90);
    else if (action === "rotate_right") viewport.setRotation(viewport.getRotation() + 90);
    else if (action === "whole") viewport.goHome();
  }

  toggleBoxes() {
    return !this.layer.classList.toggle("quiet");
  }
}

// The pages allow no inline style, and OpenSeadragon would add a style element unless it finds its own. One in a foreign
// namespace is found by its selector and means nothing to the browser.
function keepStyleElementsOut() {
  const inert = document.createElementNS("urn:headstone:inert", "style");
  inert.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(inert);
}
