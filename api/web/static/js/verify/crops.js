// Pictures of single lines, cut out of the photo in the browser: the photo is loaded once, and ten crops cost nothing.

const LINE_HEIGHT_PX = 96; // drawn height; twice what is shown, for sharp letters on dense screens
const MARGIN = 0.14; // of the line's height, so that tone marks above and below stay whole
const MAX_WIDTH_PX = 2400;

const KEPT_PHOTOS = 6; // on screen, those ahead, and a few to come back to

const photos = new Map();

// The decoded photo, null where it cannot be had. Fetched once: crops, viewer and prefetching share its bytes, so that
// the next photo is there when the next draft is.
export function loadPhoto(url) {
  if (!photos.has(url)) photos.set(url, fetchPhoto(url));
  const photo = photos.get(url);
  photos.delete(url);
  photos.set(url, photo); // the newest is last
  for (const old of [...photos.keys()].slice(0, -KEPT_PHOTOS)) {
    photos.get(old).then((image) => image && URL.revokeObjectURL(image.src));
    photos.delete(old);
  }
  return photo;
}

async function fetchPhoto(url) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(response.statusText);
    const image = new Image();
    image.src = URL.createObjectURL(await response.blob());
    await image.decode();
    return image;
  } catch {
    photos.delete(url); // asked again when it is shown again
    return null;
  }
}

export function cropOf(image, quad, photoWidthPx) {
  const scale = photoWidthPx ? image.naturalWidth / photoWidthPx : 1;
  const [topLeft, topRight, , bottomLeft] = quad.map(([x, y]) => [x * scale, y * scale]);
  const along = [topRight[0] - topLeft[0], topRight[1] - topLeft[1]];
  const down = [bottomLeft[0] - topLeft[0], bottomLeft[1] - topLeft[1]];
  const width = Math.hypot(...along);
  const height = Math.hypot(...down);
  if (width < 2 || height < 2) return null;
  const margin = height * MARGIN;
  const zoom = Math.min(LINE_HEIGHT_PX / (height + 2 * margin), MAX_WIDTH_PX / (width + 2 * margin));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round((width + 2 * margin) * zoom));
  canvas.height = Math.max(1, Math.round((height + 2 * margin) * zoom));
  const pen = canvas.getContext("2d");
  // the affine map that lays the quad's top and left edges on the canvas's
  const unit = [along[0] / width, along[1] / width, down[0] / height, down[1] / height];
  const det = unit[0] * unit[3] - unit[1] * unit[2];
  if (Math.abs(det) < 0.05) return null;
  const [a, b, c, d] = [unit[3] / det, -unit[1] / det, -unit[2] / det, unit[0] / det];
  pen.setTransform(zoom, 0, 0, zoom, margin * zoom, margin * zoom);
  pen.transform(a, b, c, d, -(a * topLeft[0] + c * topLeft[1]), -(b * topLeft[0] + d * topLeft[1]));
  pen.imageSmoothingQuality = "high";
  // only the part around the line: drawing a whole photo of 12 megapixels ten times would be felt
  const xs = quad.map((point) => point[0] * scale);
  const ys = quad.map((point) => point[1] * scale);
  const left = Math.max(0, Math.floor(Math.min(...xs) - 2 * margin));
  const top = Math.max(0, Math.floor(Math.min(...ys) - 2 * margin));
  const right = Math.min(image.naturalWidth, Math.ceil(Math.max(...xs) + 2 * margin));
  const bottom = Math.min(image.naturalHeight, Math.ceil(Math.max(...ys) + 2 * margin));
  if (right <= left || bottom <= top) return null;
  pen.drawImage(image, left, top, right - left, bottom - top, left, top, right - left, bottom - top);
  return canvas;
}
