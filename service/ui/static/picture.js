// A photo, or the camera's picture, with a frame around each face.

import { element, icon } from './dom.js';
import { t } from './texts.js';

const THUMBNAIL = 112; // pixels, for screens with two a point
const NUMBER_ABOVE = 0.1; // of the picture's height: room for a number above the face
const MOST_ENLARGED = 3; // times; a tiny photo stays a small one
const AROUND = 1.9; // side of a thumbnail, in sides of the face

/**
 * A stage that shows a picture and frames on it.
 *
 * @param {HTMLElement} shown an image or a video.
 * @param {{mirrored?: boolean, choose?: (face: number) => void}} options `mirrored`: as in a mirror; `choose` is called
 *   with the face that was clicked.
 */
export function createPicture(shown, { mirrored = false, choose } = {}) {
  const node = element('div', { class: mirrored ? 'picture mirrored' : 'picture' }, shown);
  let frames = [];
  for (const event of ['loadedmetadata', 'resize']) shown.addEventListener(event, fit); // a video, and one that is turned
  fit();

  function fit() {
    const [width, height] = [shown.naturalWidth ?? shown.videoWidth, shown.naturalHeight ?? shown.videoHeight];
    if (!width) return;
    node.classList.add('sized');
    node.style.setProperty('--ratio', width / height);
    node.style.setProperty('--most', `${MOST_ENLARGED * width}px`);
  }

  /** Frames the faces of a result that was made from a photo of so many pixels. */
  function frame(result, selected, width, height) {
    for (const old of frames) old.remove();
    frames = result.faces.map((face, at) => makeFrame(face, at, result.faces.length > 1, at === selected, width, height));
    node.append(...frames);
  }

  function makeFrame(face, at, numbered, selected, width, height) {
    const [left, top, right, bottom] = face.box;
    const start = mirrored ? width - right : left;
    const low = top < NUMBER_ABOVE * height ? ' low' : '';
    const kind = `frame ${face.is_me ? 'yes' : 'no'}${selected ? ' selected' : ''}${low}`;
    // For the mouse: the list of faces is there for the keyboard and for screen readers.
    const made = element('span', { class: kind, 'aria-hidden': 'true', onclick: () => choose?.(at) });
    const parts = { left: start / width, top: top / height, width: (right - left) / width, height: (bottom - top) / height };
    for (const [name, part] of Object.entries(parts)) made.style[name] = `${100 * part}%`;
    if (numbered) made.append(element('span', { class: 'frame-number' }, String(at + 1)));
    return made;
  }

  return { node, frame, clear: () => frame({ faces: [] }) };
}

/** What stands in the place of a photo that this browser cannot show. */
export function unseenPhoto() {
  return element('div', { class: 'unseen-photo' }, icon('photo'), element('p', {}, t('picture.unseen')));
}

/**
 * A square piece of a photo around a face; of the middle where there is none.
 *
 * @param {HTMLImageElement} image the photo.
 * @param {number[]|undefined} box left, top, right and bottom in pixels of what was sent.
 * @param {number} width of what was sent, in pixels.
 */
export function thumbnail(image, box, width) {
  const canvas = element('canvas', { width: THUMBNAIL, height: THUMBNAIL, class: 'thumbnail', 'aria-hidden': 'true' });
  const { naturalWidth, naturalHeight } = image;
  const ratio = naturalWidth / (width || naturalWidth);
  const whole = Math.min(naturalWidth, naturalHeight);
  const [left, top, right, bottom] = (box ?? [0, 0, naturalWidth / ratio, naturalHeight / ratio]).map((part) => part * ratio);
  const side = box ? Math.min(whole, AROUND * Math.max(right - left, bottom - top)) : whole;
  const corner = (middle, most) => Math.min(Math.max(0, middle - side / 2), most - side);
  const [x, y] = [corner((left + right) / 2, naturalWidth), corner((top + bottom) / 2, naturalHeight)];
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, x, y, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
  return canvas;
}
