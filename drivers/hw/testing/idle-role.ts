// A role whose worker waits for orders that never come.

export function main(): void {}
