import '@mantine/notifications/styles.css';

import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { useEffect } from 'react';
import { dialogsMounted } from '@/ui/confirm';

/** What appears over the pages when they ask for it. It is loaded once the page is there. */
export default function Overlays() {
  useEffect(dialogsMounted, []);
  return (
    <ModalsProvider>
      <Notifications position="bottom-right" limit={4} />
    </ModalsProvider>
  );
}
