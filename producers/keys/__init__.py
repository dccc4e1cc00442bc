"""Write keys of the collector, as those who look after them make, disable and rotate them."""
