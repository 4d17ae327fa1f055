"""The simulated office, CRM and calendar, with people who edit; used by the demo and the tests."""
