// The score on a scale from 0 to 1, with the threshold: left of it "not mine", right of it "mine".

import { element } from './dom.js';
import { language, t } from './texts.js';
import { plain, scoreText } from './words.js';

/**
 * A scale that can be moved.
 *
 * @returns {{node: HTMLElement, show: (score: number, threshold: number, isMe: boolean) => void}}
 */
export function createScale() {
  const value = element('span', { class: 'scale-value' });
  const dot = element('span', { class: 'scale-dot' });
  const limit = element('span', { class: 'scale-limit' });
  const before = element('span', { class: 'scale-before' });
  const after = element('span', { class: 'scale-after' });
  const track = element('div', { class: 'scale-track' }, before, after, element('span', { class: 'scale-mark' }), dot);
  const [left, right] = [element('span'), element('span')];
  const ends = element('div', { class: 'scale-ends' }, left, limit, right);
  const node = element('div', { class: 'scale', role: 'img' }, element('div', { class: 'scale-over' }, value), track, ends);

  function show(score, threshold, isMe) {
    const [shown, bound] = [scoreText(score, threshold, language()), plain(threshold, language(), 4)];
    node.dataset.state = isMe ? 'yes' : 'no';
    node.style.setProperty('--score', `${100 * score}%`);
    node.style.setProperty('--threshold', `${100 * threshold}%`);
    value.textContent = shown;
    limit.textContent = t('scale.threshold', { threshold: bound });
    left.textContent = t('scale.not_mine');
    right.textContent = t('scale.mine');
    node.setAttribute('aria-label', t('scale.label', { score: shown, threshold: bound }));
  }
  return { node, show };
}
