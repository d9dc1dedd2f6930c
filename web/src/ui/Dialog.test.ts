import { afterEach, expect, it } from 'vitest';
import { returnTo } from './Dialog';

afterEach(() => document.body.replaceChildren());

it('goes back to what had the focus', () => {
  document.body.innerHTML = '<button>Invite</button>';
  const button = document.querySelector('button');
  expect(returnTo(button)).toBe(button);
});

it('goes back to what opened the menu, since an item goes with its menu', () => {
  document.body.innerHTML =
    '<button id="more">More</button><div role="menu" aria-labelledby="more"><button role="menuitem">Delete</button></div>';
  expect(returnTo(document.querySelector('[role=menuitem]'))?.id).toBe('more');
});

it('goes nowhere when nothing had it', () => expect(returnTo(null)).toBeNull());
