// Of a clip only the part with its texts is read and sent, however large it is.
const MOST_TABLES = 6 * 2 ** 20, MOST_TEXT = 2 ** 20, MOST_BOXES = 10000; // bytes; boxes of one file
const isClip = (file) => /\.(mp4|m4v|mov)$/i.test(file.name) || file.type.startsWith("video/");

async function part(file, from, to) {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}

// The first box (`ftyp`) and the one with the tables and the texts (`moov`); nothing of a file that is built otherwise.
async function tables(file) {
  const found = [];
  let at = 0;
  for (let count = 0; at + 8 <= file.size && count < MOST_BOXES; count++) {
    const head = await part(file, at, at + 16), view = new DataView(head.buffer);
    const kind = String.fromCharCode(...head.subarray(4, 8));
    let length = view.getUint32(0);
    if (length === 1 && head.length === 16) length = Number(view.getBigUint64(8));
    else if (length === 0) length = file.size - at;
    if (length < 8 || at + length > file.size) break;
    if (kind === "moov" && length <= MOST_TABLES) found.push(await part(file, at, at + length));
    at += length;
  }
  return found.length ? new Blob(found) : null;
}

function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(String(reader.result).replace(/^[^,]*,/, "")));
    reader.addEventListener("error", () => fail(reader.error));
    reader.readAsDataURL(blob);
  });
}
