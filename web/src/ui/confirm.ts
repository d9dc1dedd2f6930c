import { modals } from '@mantine/modals';

let listening: () => void;
const mounted = new Promise<void>((resolve) => {
  listening = resolve;
});

/** To be called once the dialogs' provider is in the page: what is asked before it would be lost. */
export const dialogsMounted = (): void => listening();

type Question = Parameters<typeof modals.openConfirmModal>[0];

/** Asks the person, as soon as the dialogs are loaded. */
export const confirm = (question: Question): void => void mounted.then(() => modals.openConfirmModal(question));
