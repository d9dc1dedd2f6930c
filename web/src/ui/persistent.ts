const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Loads a part of the program, and tries again when it doesn't arrive: on the move between networks browsers break off
 * whatever is on its way.
 */
export async function persistent<T>(load: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await load();
    } catch (error) {
      if (attempt >= attempts) throw error;
      await wait(Math.min(5_000, 150 * 2 ** attempt));
    }
  }
}
