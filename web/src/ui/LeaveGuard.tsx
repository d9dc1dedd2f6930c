import { useBlocker } from '@tanstack/react-router';
import { useCallback, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { confirm } from './confirm';

/** Asks before a page with changes that aren't saved is left. release lets the next step through. */
export function useLeaveGuard(dirty: boolean): { release: () => void } {
  const { t } = useTranslation('ui');
  const released = useRef(false);
  useBlocker({
    shouldBlockFn: ({ current, next }) => {
      if (!dirty || released.current || current.pathname === next.pathname) return false;
      return new Promise<boolean>((resolve) => {
        confirm({
          title: t('leave.title'),
          children: t('leave.text'),
          labels: { confirm: t('leave.leave'), cancel: t('stay') },
          confirmProps: { color: 'red' },
          onConfirm: () => resolve(false),
          onCancel: () => resolve(true),
          onClose: () => resolve(true),
        });
      });
    },
    enableBeforeUnload: () => dirty && !released.current,
  });
  const release = useCallback(() => {
    released.current = true;
  }, []);
  return { release };
}
