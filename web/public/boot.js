// Sets the colour scheme and the language before the first paint, and loads again what doesn't arrive. A file of its own:
// the page's policy allows no inline script.
(() => {
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const scheme = read('mantine-color-scheme-value');
  const dark = scheme === 'dark' || (scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  const language = read('baas-language') || navigator.language;
  document.documentElement.lang = /^pt/i.test(language) ? 'pt-BR' : 'en';

  // Browsers break off what is on its way when the network changes. Without its program the page stays empty and is loaded
  // again; a stylesheet is asked for until it comes, since the page itself may hold what a person is typing.
  const tries = 'baas-load-tries';
  addEventListener(
    'error',
    ({ target }) => {
      if (target?.tagName === 'SCRIPT') {
        const tried = Number(sessionStorage.getItem(tries) ?? 0);
        if (tried >= 5) return;
        sessionStorage.setItem(tries, tried + 1);
        setTimeout(() => location.reload(), 250 * 2 ** tried);
      }
      if (target?.tagName === 'LINK' && target.rel === 'stylesheet') {
        const tried = Number(target.dataset.tries ?? 0);
        const next = target.cloneNode();
        next.nonce = target.nonce;
        next.dataset.tries = tried + 1;
        setTimeout(() => target.replaceWith(next), Math.min(5_000, 250 * 2 ** tried));
      }
    },
    true,
  );
})();
