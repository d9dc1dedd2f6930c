import { Modal, type ModalProps } from '@mantine/core';
import { useEffect, useState } from 'react';

/** What the focus goes back to: what it is on, or for an item of a menu, which goes with the menu, what opened that. */
export function returnTo(focused: Element | null): HTMLElement | null {
  const menu = focused?.closest('[role=menu]');
  const back = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : focused;
  return back instanceof HTMLElement ? back : null;
}

/** A dialog over the page for as long as it is rendered. The focus goes back to where it was, if that is still there. */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [back] = useState(() => returnTo(document.activeElement));
  // Modals themselves give the focus back only while they stay rendered, closed.
  useEffect(() => () => back?.focus({ preventScroll: true }), [back]);
  return <Modal opened {...props} />;
}
