// Makes a photo fit the service's limits. One that fits is sent as it is, byte for byte.

const LONGEST_SIDE = 2560; // pixels; more than enough for every face of a group
const SHORTEST_SIDE = 320; // below it nothing would be left to see
const STEP = 0.8;
const QUALITY = 0.9;

/** A photo that this browser cannot make smaller. */
export class CannotShrink extends Error {}

/**
 * What to send of a file.
 *
 * @param {Blob} file the photo as it was chosen.
 * @param {{max_bytes: number, max_megapixels: number, accepted_types: string[]}} limits of the service.
 * @returns {Promise<{blob: Blob, image: HTMLImageElement|null, width: number, height: number, shrunk: boolean}>}
 *   `width` and `height` are those of what is sent, upright; `image` is null where this browser cannot show it.
 * @throws {CannotShrink} it is too large, and this browser cannot read it.
 */
export async function prepare(file, limits) {
  const image = await decoded(file);
  if (!image) {
    if (file.size > limits.max_bytes) throw new CannotShrink();
    return { blob: file, image: null, width: 0, height: 0, shrunk: false };
  }
  const { naturalWidth: width, naturalHeight: height } = image; // upright: browsers turn photos as EXIF says
  const fits = file.size <= limits.max_bytes && width * height <= 1e6 * limits.max_megapixels;
  if (fits && limits.accepted_types.includes(file.type)) return { blob: file, image, width, height, shrunk: false };
  return shrink(image, limits);
}

async function shrink(image, limits) {
  const { naturalWidth, naturalHeight } = image;
  const longest = Math.max(naturalWidth, naturalHeight);
  const byPixels = Math.sqrt((1e6 * limits.max_megapixels) / (naturalWidth * naturalHeight));
  const least = Math.min(1, SHORTEST_SIDE / longest);
  for (let scale = Math.min(1, byPixels, LONGEST_SIDE / longest); scale >= least * STEP; scale *= STEP) {
    const width = Math.max(1, Math.floor(naturalWidth * scale));
    const height = Math.max(1, Math.floor(naturalHeight * scale));
    const blob = await jpeg(image, width, height);
    if (blob && blob.size <= limits.max_bytes) return { blob, image, width, height, shrunk: true };
  }
  throw new CannotShrink();
}

/** A picture, video or canvas as a JPEG of a size; null where the browser cannot. */
export function jpeg(source, width, height, quality = QUALITY) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.fillStyle = '#fff'; // below what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
}

/** The file as a picture; null where this browser cannot read it. */
async function decoded(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    return image.naturalWidth ? image : null; // a drawing may have no size of its own
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
