// Encoding of images and strokes for the address and for requests.

import { bytes } from "./chart.js";
import { html } from "./dom.js";
import { PAPER } from "./prepare.js";

// Strokes: numbers in base 36, separated by dots; strokes separated by dashes.
export const pack = (strokes) =>
  strokes
    .map((stroke) =>
      stroke
        .flat()
        .map((v) => v.toString(36))
        .join("."),
    )
    .join("-");
export function unpack(text) {
  const points = (part) => part.split(".").map((v) => Math.min(PAPER - 1, Math.max(0, parseInt(v, 36) || 0)));
  const pairs = (values) =>
    Array.from({ length: Math.floor(values.length / 2) }, (_, i) => [values[2 * i], values[2 * i + 1]]);
  return text
    .split("-")
    .map((part) => pairs(points(part)))
    .filter((stroke) => stroke.length);
}

// An image in the address: URL-safe base64. Unpacking returns null if it is not a 28x28 image.
export const packed = (pixels) =>
  btoa(String.fromCharCode(...pixels))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
export function unpacked(text) {
  try {
    const found = bytes(text.replaceAll("-", "+").replaceAll("_", "/"));
    return found.length === 784 ? found : null;
  } catch {
    return null;
  }
}

// The image or the sample that the address names, or null.
export function imageOf(about, address) {
  const sample = about.samples.find((one) => one.label === address.get("sample"));
  return address.get("pixels") ? unpacked(address.get("pixels")) : sample ? bytes(sample.pixels) : null;
}

// A picture scaled down until it is small enough to send, or null if it cannot be read.
export async function smaller(blob, most) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    return null;
  }
  for (let longest = 1000; longest > 50; longest *= 0.7) {
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const canvas = html("canvas", {
      width: Math.round(bitmap.width * scale) || 1,
      height: Math.round(bitmap.height * scale) || 1,
    });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const found = await new Promise((done) => canvas.toBlob(done, scale < 1 ? "image/jpeg" : "image/png", 0.85));
    if (found.size <= most) return found;
  }
  return null;
}
