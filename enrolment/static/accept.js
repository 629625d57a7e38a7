// The bar at the end: how many photos are taken, whether that is enough, consent, and the button that begins.

import { element, find, icon } from './dom.js';
import { t } from './texts.js';

let begin_;
let shown = '';

/**
 * Prepares the bar.
 *
 * @param {(agreed: boolean) => void} start begins to learn.
 */
export function begin(start) {
  begin_ = start;
  find('#accept').addEventListener('submit', (event) => {
    event.preventDefault();
    begin_(find('#agreed')?.checked ?? false);
  });
}

/** Shows it for a state of the program; `busy` while photos are on their way. */
export function show(state, busy) {
  const form = find('#accept');
  const taken = state.photos.filter((photo) => photo.taken).length;
  const left = state.photos.length - taken;
  form.hidden = state.phase !== 'ready' || (!state.photos.length && !busy);
  const all = taken + state.existing;
  const wanted = JSON.stringify([taken, left, all, busy, state.consent, state.blocked, state.least, document.documentElement.lang]);
  if (form.hidden || wanted === shown) return;
  shown = wanted;
  const agreed = find('#agreed')?.checked ?? false;
  const ready = all >= state.least && taken > 0 && !busy && !state.blocked;
  form.replaceChildren(
    element('div', { class: 'count' }, meter(all, state), words(taken, left, state, all)),
    state.consent && element(
      'label', { class: 'consent' },
      element('input', { id: 'agreed', type: 'checkbox', required: true, checked: agreed }),
      element('span', {}, t('accept.consent')),
    ) || '',
    element('button', { class: 'button primary', disabled: !ready }, icon('model'), element('span', {}, t('accept.start'))),
  );
}

function meter(all, { few, many }) {
  const enough = all >= few;
  const bar = element('progress', { value: Math.min(all, many), max: many, 'aria-label': t('accept.meter', { few, many }) });
  bar.dataset.enough = enough;
  return bar;
}

function words(taken, left, state, all) {
  const { few, many, existing, least } = state;
  const parts = [t('accept.taken', { count: taken })];
  if (left) parts.push(t('accept.left', { count: left }));
  if (existing) parts.push(t('accept.existing', { count: existing }));
  const advice = all < least ? t('accept.least', { least }) : all < few ? t('accept.few', { few, many }) : t('accept.enough');
  return element('p', {}, element('strong', {}, parts.join(' · ')), ' ', element('span', { class: 'advice' }, advice));
}
