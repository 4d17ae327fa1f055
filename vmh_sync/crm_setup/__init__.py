"""Creates in EspoCRM what the product needs and what is missing; never changes or removes what is there."""
