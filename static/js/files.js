// Files that are too large are said so before they travel: the server would only hang up.

// Takes them out of `input` and gives back a sentence for each. `data-max` is in bytes,
// `data-too-large` the sentence with NAME in it.
export function takeOutTooLarge(input) {
  const files = [...input.files];
  const large = files.filter((file) => file.size > Number(input.dataset.max));
  if (large.length) {
    const rest = new DataTransfer();
    for (const file of files) if (!large.includes(file)) rest.items.add(file);
    input.files = rest.files;
  }
  return large.map((file) => input.dataset.tooLarge.replace("NAME", file.name));
}
