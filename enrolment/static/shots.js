// The camera: what it sees is shown, and a photo is taken when the person says so. What to do next is said each time.

import { button, element, find } from './dom.js';
import { jpeg } from './shrink.js';
import { t, whenLanguageChanges } from './texts.js';

const POSES = 8; // texts camera.pose.0 and on

let take;
let stream = null;
let video;
let count = 0;

/**
 * Prepares the view.
 *
 * @param {(file: File) => void} takePhoto called with each photo.
 */
export function begin(takePhoto) {
  take = takePhoto;
  whenLanguageChanges(() => stream && render());
}

/**
 * Opens the camera.
 *
 * @returns {Promise<string>} why there is no picture, as a sentence; '' where there is one.
 */
export async function start() {
  stop();
  try {
    const wanted = { facingMode: 'user', width: { ideal: 1920 }, height: { ideal: 1080 } };
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    const known = { NotAllowedError: 'camera.denied', NotFoundError: 'camera.missing' };
    return t(known[error.name] ?? 'camera.failed', { reason: error.message });
  }
  stream.getVideoTracks()[0].addEventListener('ended', stop); // somebody has pulled the plug
  video = element('video', { autoplay: true, playsinline: true });
  video.muted = true;
  video.srcObject = stream;
  render();
  find('#camera').hidden = false;
  return '';
}

/** Closes the camera. */
export function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  find('#camera').hidden = true;
}

function render() {
  video.setAttribute('aria-label', t('camera.label'));
  find('#camera').replaceChildren(
    element('div', { class: 'viewfinder mirrored' }, video, element('p', { class: 'pose', role: 'status' }, pose())),
    element(
      'div', { class: 'buttons' },
      button(t('camera.take'), 'camera', shoot, 'primary'),
      button(t('camera.stop'), 'stop', stop),
    ),
    element('p', { class: 'note' }, t('camera.note')),
  );
}

const pose = () => t(`camera.pose.${count % POSES}`);

async function shoot() {
  if (!video.videoWidth) return; // no picture has come yet
  const frame = await jpeg(video, video.videoWidth, video.videoHeight, 0.95);
  count++;
  find('#camera .pose').textContent = pose();
  find('#camera .viewfinder').animate?.([{ opacity: 0.2 }, { opacity: 1 }], 180);
  take(new File([frame], t('camera.file', { number: String(count) }), { type: 'image/jpeg' }));
}
