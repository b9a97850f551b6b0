/**
 * Copies the text of an element. Where the browser has no clipboard for the page (plain http, an old WebView) the old command
 * is tried on a selection, which stays if even that fails, so that the buyer can copy it by hand.
 */
export async function copyTextOf(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    return copySelected(element);
  }
}

function copySelected(element: HTMLElement): boolean {
  const selection = getSelection();
  if (!selection) return false;
  selection.selectAllChildren(element);
  try {
    if (!document.execCommand("copy")) return false;
    selection.removeAllRanges();
    return true;
  } catch {
    return false;
  }
}
