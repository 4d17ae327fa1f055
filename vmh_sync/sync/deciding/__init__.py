"""From the merge of single fields to what each side is to be told: first meetings, values that stay apart. Pure."""
