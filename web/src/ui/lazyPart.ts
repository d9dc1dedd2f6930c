import { type ComponentType, lazy } from 'react';
import { persistent } from './persistent';

/** A component that is loaded when it is first shown. */
// biome-ignore lint/suspicious/noExplicitAny: as React's own lazy has it
export const lazyPart = <C extends ComponentType<any>>(load: () => Promise<{ default: C }>) =>
  lazy(() => persistent(load));
