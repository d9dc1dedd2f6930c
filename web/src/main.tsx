import '@fontsource-variable/inter/wght.css';
import '@mantine/core/styles.css';
import '@/app/global.css';

import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { App } from '@/app/App';
import { makeQueryClient } from '@/app/queryClient';
import { makeRouter } from '@/app/router';
import { startTexts } from '@/i18n';

// The page's policy allows style elements with this nonce only.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
if (nonce) setNonce(nonce);

const queryClient = makeQueryClient();
const router = makeRouter(queryClient);
const container = document.getElementById('root');

startTexts().then(() => {
  sessionStorage.removeItem('baas-load-tries'); // see boot.js
  if (container) createRoot(container).render(<App nonce={nonce} queryClient={queryClient} router={router} />);
}, console.error);
