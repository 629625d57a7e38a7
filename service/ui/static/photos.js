// Photos come in: dropped (folders too), chosen, or pasted.

import { find } from './dom.js';

/**
 * Listens for photos.
 *
 * @param {(photos: {file: File, name: string}[]) => void} take called with one or more; in a folder, the name is a path.
 */
export function begin(take) {
  const choose = find('#choose');
  choose.addEventListener('change', () => {
    const files = named(choose.files);
    choose.value = ''; // so that the same photo can be chosen again
    if (files.length) take(files);
  });
  document.addEventListener('paste', (event) => {
    const files = named(event.clipboardData?.files ?? []);
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
  listenForDrops(take);
}

const named = (files) => [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

function listenForDrops(take) {
  let inside = 0; // dragenter and dragleave come for each element that is passed
  const mark = () => document.body.classList.toggle('dragging', inside > 0);
  const holdsFiles = (event) => event.dataTransfer?.types.includes('Files');
  window.addEventListener('dragenter', (event) => {
    if (holdsFiles(event)) inside++;
    mark();
  });
  window.addEventListener('dragleave', (event) => {
    if (holdsFiles(event)) inside = Math.max(0, inside - 1);
    mark();
  });
  window.addEventListener('dragover', (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    inside = 0;
    mark();
    const files = await dropped(event.dataTransfer);
    if (files.length) take(files);
  });
}

/** The files that were dropped, and those in folders that were. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()); // at once: later they are gone
  if (!entries.some((entry) => entry?.isDirectory)) return named(transfer.files);
  const files = (await Promise.all(entries.filter(Boolean).map(filesIn))).flat();
  return files.filter(({ file }) => !file.name.startsWith('.')); // such as .DS_Store
}

async function filesIn(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, name: entry.fullPath.replace(/^\//, '') }];
  }
  const reader = entry.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at most at once
    if (!some.length) break;
    all.push(...some);
  }
  all.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return (await Promise.all(all.map(filesIn))).flat();
}
