-- A receipt keeps the seller and the rate of the tax of its time.

alter table checkouts
    add column receipt_seller text,
    add column tax_percent numeric;
