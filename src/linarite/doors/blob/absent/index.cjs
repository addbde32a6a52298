// Azurite loads its telemetry client and two database drivers eagerly and uses none of them here. The overrides in
// package.json put this in their place: 300 MB less to install, and no code on board that could call home.
'use strict';

module.exports = {};
