// Made from wit/weir.wit by `npm run generate`; never edited.
export {};
