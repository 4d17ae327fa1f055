"""The probe of Advoware, on a scratch party and in an employee's calendar."""
