"""A robot picks parcels and delivers them; or, where picking is what pays, picks and puts back for ever."""
