// The live camera: a few frames a second are sent, looked at, and forgotten.

import { ask } from './ask.js';
import { bestFace } from './answer.js';
import { button, element, find } from './dom.js';
import { isAboutKey, lacksKey } from './key.js';
import { createPicture } from './picture.js';
import { jpeg } from './shrink.js';
import { t, whenLanguageChanges } from './texts.js';
import { createVerdict } from './verdict.js';

const LONGEST_SIDE = 960; // pixels of a frame: enough for a face, and quick to send
const PAUSE = 340; // milliseconds from one frame to the next, at least

let settings;
let take;
let stream = null;
let running = new AbortController();
let video;
let picture;
let verdict;

/**
 * Prepares the view.
 *
 * @param {object} limits settings of the service.
 * @param {(file: File) => void} takePhoto called with a frame that is to be kept as a photo.
 */
export function begin(limits, takePhoto) {
  settings = limits;
  take = takePhoto;
  whenLanguageChanges(() => stream && render());
}

/**
 * Opens the camera and asks about its frames until `stop`.
 *
 * @param {string} facing which camera: "user" or "environment".
 * @returns {Promise<string|null>} why there is no picture, as a sentence; '' where there is one; null where nobody waits
 *   for it any more.
 */
export async function start(facing = 'user') {
  stop();
  if (!window.isSecureContext || !navigator.mediaDevices) return t('camera.insecure', { host: location.host });
  if (lacksKey(settings.key_needed)) return t('key.first');
  running = new AbortController();
  const { signal } = running;
  let opened;
  try {
    opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } }, audio: false });
  } catch (error) {
    const known = { NotAllowedError: 'camera.denied', NotFoundError: 'camera.missing' };
    return t(known[error.name] ?? 'camera.failed', { reason: error.message });
  }
  if (signal.aborted) {
    release(opened);
    return null;
  }
  stream = opened;
  stream.getVideoTracks()[0].addEventListener('ended', () => leave()); // somebody has pulled the plug
  video = element('video', { autoplay: true, playsinline: true });
  video.muted = true;
  video.srcObject = stream;
  render();
  await several(facing);
  if (signal.aborted) return null;
  follow(signal);
  return '';
}

/** Closes the camera. */
export function stop() {
  running.abort();
  release(stream);
  stream = null;
}

function release(opened) {
  for (const track of opened?.getTracks() ?? []) track.stop();
}

/** Asks the page to leave the view, for a reason that it may have to tell. */
function leave(problem = null) {
  document.dispatchEvent(new CustomEvent('camera-stop', { detail: problem?.text ? problem : null }));
}

function render() {
  const facing = stream.getVideoTracks()[0]?.getSettings().facingMode;
  video.setAttribute('aria-label', t('camera.label'));
  picture = createPicture(video, { mirrored: facing !== 'environment' });
  verdict = createVerdict();
  verdict.wait(t('camera.wait'));
  picture.node.append(element('span', { class: 'live' }, t('camera.live')));
  const buttons = element(
    'div', { class: 'buttons' },
    button(t('camera.keep'), 'photo', keep, 'primary'),
    button(t('camera.stop'), 'stop', () => leave()),
  );
  const note = element('p', { class: 'note' }, t('camera.nothing'));
  find('#camera').replaceChildren(element('div', { class: 'left' }, picture.node, buttons), element('div', { class: 'right' }, verdict.node, note));
}

/** Offers the other camera of a phone. */
async function several(facing) {
  const devices = await navigator.mediaDevices.enumerateDevices();
  if (devices.filter((device) => device.kind === 'videoinput').length < 2) return;
  const other = facing === 'user' ? 'environment' : 'user';
  find('#camera .buttons').append(button(t('camera.other'), 'again', () => start(other)));
}

async function follow(signal) {
  while (!signal.aborted) {
    const began = performance.now();
    if (!document.hidden && video.videoWidth) {
      try {
        await look(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(20, PAUSE - (performance.now() - began))));
  }
}

async function look(signal) {
  const { width, height } = sizeOfFrame(LONGEST_SIDE);
  const frame = await jpeg(video, width, height, 0.85);
  const waiting = (seconds) => verdict.wait(t('error.busy', { count: seconds }));
  const result = await ask(frame, { signal, waiting });
  if (signal.aborted) return;
  if (isAboutKey(result)) {
    leave(); // the form for the key says why
    return;
  }
  picture.frame(result, result.best, width, height);
  verdict.show(result, result.best);
  if (result.state === 'error') leave(result.problem);
  else picture.node.dataset.state = bestFace(result) ? result.state : 'no_face';
}

function sizeOfFrame(longest) {
  const byPixels = Math.sqrt((1e6 * settings.max_megapixels) / (video.videoWidth * video.videoHeight));
  const scale = Math.min(1, byPixels, longest / Math.max(video.videoWidth, video.videoHeight));
  return { width: Math.floor(video.videoWidth * scale), height: Math.floor(video.videoHeight * scale) };
}

/** Takes the frame of this moment as a photo. */
async function keep() {
  const { width, height } = sizeOfFrame(Infinity);
  const frame = await jpeg(video, width, height);
  take(new File([frame], t('camera.file'), { type: 'image/jpeg' }));
}
