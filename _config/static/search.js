/* From a folder a page cannot read another, so results come without an extract there. */
"use strict";
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
