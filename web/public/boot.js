// Sets the colour scheme and the language before the first paint, and loads the page again when its program doesn't
// arrive. A file of its own: the page's policy allows no
// inline script.
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

  // A program that doesn't arrive (browsers break off what is on its way when the network changes) leaves an empty page.
  const tries = 'baas-load-tries';
  addEventListener(
    'error',
    ({ target }) => {
      if (target?.tagName !== 'SCRIPT') return;
      const tried = Number(sessionStorage.getItem(tries) ?? 0);
      if (tried >= 5) return;
      sessionStorage.setItem(tries, tried + 1);
      setTimeout(() => location.reload(), 250 * 2 ** tried);
    },
    true,
  );
})();
