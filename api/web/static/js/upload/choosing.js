// Photos come by file dialogue, folder dialogue or drop; what is no picture is counted and left out.

const PICTURES = /\.(jpe?g|png|heic|heif|tiff?|webp|bmp|gif|avif)$/i;
const LONGEST_PATH = 1000; // what the server keeps
const OF_SYSTEMS = /^(\.|thumbs\.db$|desktop\.ini$)/i; // what systems put into folders

/** Calls `take({ photos: [{ file, path }], skipped: [path] })` whenever something was chosen. */
export function listen({ form, drop, onLooking, take }) {
  for (const input of form.querySelectorAll('input[type="file"]')) {
    const takeChosen = () => {
      const files = [...input.files];
      input.value = "";
      if (files.length) take(sorted(files, (file) => file.webkitRelativePath || file.name));
    };
    input.addEventListener("change", takeChosen);
    takeChosen(); // on a poor line people may have chosen before this script came
  }
  for (const button of form.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.choose).click());
  }
  const uppy = new globalThis.Uppy.Uppy();
  uppy.use(folderDrop(take), { target: drop, onDrop: () => onLooking(false), onDragOver: () => {} });
  drop.addEventListener("drop", () => onLooking(true), true);
}

/** Uppy's drop target walks through folders; what it finds goes to `take` and never into Uppy's own state. */
const folderDrop = (take) =>
  class extends globalThis.Uppy.DropTarget {
    addFiles = (files) => take(sorted(files, (file) => (file.relativePath || file.name).replace(/^\/+/, "")));
  };

function sorted(files, pathOf) {
  const photos = [];
  const skipped = [];
  for (const file of files) {
    const path = pathOf(file).normalize("NFC").slice(-LONGEST_PATH);
    if (OF_SYSTEMS.test(file.name)) continue;
    if (file.type.startsWith("image/") || PICTURES.test(file.name)) photos.push({ file, path });
    else skipped.push(path);
  }
  photos.sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0));
  return { photos, skipped };
}
