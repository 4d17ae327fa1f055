"""What has to be synced next, and how far sensors and sweeps have got."""
