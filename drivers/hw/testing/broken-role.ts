// A role whose worker fails as soon as it has power.

throw new Error('broken on purpose');
