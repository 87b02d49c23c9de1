DROP TABLE reviews;
DROP TABLE product_views;
DROP TABLE product_images;
DROP TABLE products;
DROP TABLE categories;
