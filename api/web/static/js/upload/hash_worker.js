// SHA-256 of files, in a thread of its own: reading a folder of photos must not hold up the page.

onmessage = async ({ data: { number, file } }) => {
  try {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    postMessage({ number, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") });
  } catch {
    postMessage({ number, sha256: null }); // changed or deleted since it was chosen, or its disk is gone
  }
};
