// Puts the page together: which view is shown, and what comes in leads where.

import { headers, readSettings } from './ask.js';
import * as camera from './camera.js';
import * as card from './card.js';
import { element, find, icon } from './dom.js';
import * as key from './key.js';
import * as photos from './photos.js';
import * as several from './several.js';
import * as single from './single.js';
import * as texts from './texts.js';

const VIEWS = ['one', 'several', 'camera'];

function show(view) {
  document.body.dataset.view = view;
  for (const name of VIEWS) find(`#${name}`).hidden = name !== view;
  if (view !== 'camera') camera.stop();
  tell('');
}

/** Says what is wrong with the page itself; '' for nothing. */
function tell(...sentences) {
  const notice = find('#problem');
  const said = sentences.filter(Boolean);
  notice.hidden = !said.length;
  notice.replaceChildren(icon('alert'), element('div', {}, ...said.map((sentence) => element('p', {}, sentence))));
}

/** Photos have come in, each a file with its name. */
function take(given) {
  several.leave();
  if (given.length === 1) {
    show('one');
    single.show(given[0].file);
  } else {
    single.leave();
    show('several');
    several.show(given);
  }
}

/** Shows a photo of the table; the table waits. */
function open(row) {
  show('one');
  single.show(row.file, {
    result: row.result,
    back: () => {
      single.leave();
      show('several');
    },
  });
}

async function openCamera() {
  const problem = await camera.start();
  if (problem === null) return; // something else has come in meanwhile
  if (problem) {
    if (document.body.dataset.view === 'camera') show('start'); // it was on, and is off now
    tell(problem); // anything else that is shown stays
    return;
  }
  single.leave();
  several.leave();
  show('camera');
}

/** Goes on with a key that has been typed. */
async function again() {
  if (await card.load()) return;
  single.resume();
  several.resume();
}

async function begin() {
  await texts.begin();
  const settings = await readSettings();
  key.begin(settings.key_needed, again);
  single.begin(settings);
  several.begin(settings, open);
  camera.begin(settings, (file) => take([{ file, name: file.name }]));
  photos.begin(take);
  find('#camera-start').addEventListener('click', openCamera);
  document.addEventListener('camera-stop', ({ detail }) => {
    show('start');
    if (detail) tell(detail.text, detail.detail);
  });
  document.body.classList.add('ready');
  card.begin(settings);
  await tellHealth();
}

/** Says at once that the service has no model, rather than with the first photo. */
async function tellHealth() {
  try {
    const response = await fetch('healthz', { headers: headers() });
    const said = await response.json(); // always: a body that nobody reads keeps its connection
    if (response.status === 503) tell(texts.t('error.no_model'), said.detail);
  } catch {
    // It does not answer: the first photo will tell.
  }
}

begin().catch((error) => {
  tell(`${error.message}. ${document.documentElement.lang === 'es' ? 'La página no se ha podido cargar.' : 'The page could not be loaded.'}`);
  throw error;
});
