// Makes elements. Text is always set as text: nothing that comes from a photo's name or an answer becomes HTML.

const SVG = 'http://www.w3.org/2000/svg';

export const find = (selector, root = document) => root.querySelector(selector);

/**
 * An element with attributes and children.
 *
 * Attributes that begin with `on` are listeners; false, null and undefined leave an attribute out, true sets it empty.
 * Children are nodes or texts; false and null are passed over.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child != null && child !== false));
  return made;
}

/** An icon of icons.svg. It is an ornament: what it means stands beside it, or in the label of its button. */
export function icon(name) {
  const made = document.createElementNS(SVG, 'svg');
  made.setAttribute('class', 'icon');
  made.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `ui/icons.svg#${name}`);
  made.append(use);
  return made;
}

/** A button with an icon and a text. */
export function button(text, name, onclick, kind = '') {
  return element('button', { type: 'button', class: `button ${kind}`.trim(), onclick }, icon(name), element('span', {}, text));
}

/** Says something to screen readers, without moving anything. */
export function say(text) {
  const place = find('#said');
  if (place.textContent !== text) place.textContent = text;
}
