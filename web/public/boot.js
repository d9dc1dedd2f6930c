// Sets the colour scheme and the language before the first paint. A file of its own: the page's policy allows no
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
})();
