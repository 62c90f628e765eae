// Photos come by file dialogue, folder dialogue or drop; what is no picture is counted and left out.

const PICTURES = /\.(jpe?g|png|heic|heif|tiff?|webp|bmp|gif|avif)$/i;
const LONGEST_PATH = 1000; // what the server keeps
const OF_SYSTEMS = /^(\.|thumbs\.db$|desktop\.ini$)/i; // what systems put into folders
const AT_ONCE = 250;

/** Calls `take({ photos: [{ file, path, size }], skipped: [path] })` whenever something was chosen. */
export function listen({ form, drop, onLooking, take }) {
  const lookThrough = async (files, pathOf) => {
    onLooking(true);
    take(await sorted(files, pathOf));
    onLooking(false);
  };
  for (const input of form.querySelectorAll('input[type="file"]')) {
    const takeChosen = () => {
      const files = [...input.files];
      input.value = "";
      if (files.length) lookThrough(files, (file) => file.webkitRelativePath || file.name);
    };
    input.addEventListener("change", takeChosen);
    takeChosen(); // on a poor line people may have chosen before this script came
  }
  for (const button of form.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.choose).click());
  }
  drop.addEventListener("drop", () => onLooking(true), true); // a large folder takes a while before it is told
  new globalThis.Uppy.Uppy().use(folderDrop(lookThrough), { target: drop, onDrop: () => onLooking(false) });
}

/** Uppy's drop target walks through folders; what it finds goes on from here and never into Uppy's own state. */
const folderDrop = (lookThrough) =>
  class extends globalThis.Uppy.DropTarget {
    addFiles = (files) => lookThrough(files, (file) => (file.relativePath || file.name).replace(/^\/+/, ""));
  };

async function sorted(files, pathOf) {
  const photos = [];
  const skipped = [];
  for (const [index, file] of files.entries()) {
    // the browser asks the disk for a file's size when it is first wanted: ten thousand at once would hold up the page
    if (index % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setTimeout(resolve));
    if (OF_SYSTEMS.test(file.name)) continue;
    const path = pathOf(file).normalize("NFC").slice(-LONGEST_PATH);
    const isPhoto = file.type.startsWith("image/") || PICTURES.test(file.name);
    if (isPhoto) photos.push({ file, path, size: file.size });
    else skipped.push(path);
  }
  photos.sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0));
  return { photos, skipped };
}
